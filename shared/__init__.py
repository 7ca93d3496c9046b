"""What every subgraph leans on, one package per subject. Imports neither subgraphs nor router."""
