"""Strangers' documents, looked into by a process that may fail without harm."""
