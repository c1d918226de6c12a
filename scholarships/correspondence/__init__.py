"""What the applicant and the office write to each other about one application: its thread of posts."""
