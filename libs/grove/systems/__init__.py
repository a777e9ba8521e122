"""The systems of a day, one folder per paper or model; systems do not import each other."""
