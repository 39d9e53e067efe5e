"""The portal: countries upload and follow their submissions, reviewers decide, anybody reads releases.

A web application (FastAPI) over one home. ``app`` puts it together, ``security`` says who may do what, the
other parts are one folder each.
"""
