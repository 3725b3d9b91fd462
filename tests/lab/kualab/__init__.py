"""The lab: a small internet in network namespaces with a censor in the middle. See docs/lab.md."""
