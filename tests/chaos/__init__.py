"""Letters under faults: a real worker that is killed, a real mail server that refuses and hangs up, a Redis that goes away."""
