"""Review a plan for the people who approve it: what changes, at what risk, with how many API calls.

`review` turns a `Plan` of either engine into a `Review`. `document` and `text` print a review.
Nothing here has side effects.
"""
