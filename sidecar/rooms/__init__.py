"""Meeting systems: the ``Room`` and ``Adapter`` seams, and one package a system."""
