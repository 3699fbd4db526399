"""The organizer's pages. Views and forms only ask and show; what is done is done elsewhere."""
