"""What of a release is judged now, and on which evidence. Pure: state and blocks in, questions and evidence out."""
