"""posts: what people publish. A post lives on its author's slot."""
