"""Meet the machine: its event loop, files and, with the extra ``audio``, its sound card."""
