# Installs what is missing, then estimates mean and covariance matrix of each species of iris and
# draws them:
#   Rscript tools/first_run.R
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "install_missing.R"))

lib <- install_missing(checkout_folder())
library(hmvn, lib.loc = lib)
source(file.path(checkout_folder(), "inst", "examples", "iris.R"))
