"""How the bundled samples are made from a training run; a program, which nothing else imports."""
