"""What residents report and may see: held until somebody has looked, published without any person in it."""
