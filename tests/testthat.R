library(testthat)
library(hmvn)

test_check("hmvn")
