"""Turn plain functions into tools that a model can call, and run them where they hold nothing up."""
