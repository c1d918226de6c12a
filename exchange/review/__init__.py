"""The reviewer: my files, a document beside the rubric, one click to the next."""
