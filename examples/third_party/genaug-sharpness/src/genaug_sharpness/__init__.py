"""A metric and a selector for genaug that compare how blurred images are."""
