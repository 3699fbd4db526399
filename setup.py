from pretix_plugin_build.build import CustomBuild
from setuptools import setup

# Compiles the translations. (As an entry point it would only be found once the plugin is installed.)
setup(cmdclass={"build": CustomBuild})
