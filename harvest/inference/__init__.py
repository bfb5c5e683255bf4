"""What may be concluded about the people listed around a seed from those who were drawn, and what that rests on."""
