"""
Who holds which tickets: ``handing_over`` lets them go from hand to hand, at ``terms``, by a numbered document.
"""
