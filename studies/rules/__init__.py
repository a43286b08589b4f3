"""Pure rules about images: what may come in, what it says, where its pixels lie."""
