"""What a referee comes for, without an account: one request, the letter, a no, all letters of the own address."""
