"""One comment per pull request, kept up to date: what it says, who may write it, and where."""
