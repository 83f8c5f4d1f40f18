#' hmvn: group means and covariance matrices that learn from each other
#'
#' [fit_hmvn()] takes a data frame and a grouping column and returns the
#' posterior distribution of every group's mean vector and covariance matrix.
#' Means, standard deviations and correlations each have their own prior
#' ([hmvn_prior()]) and their own pooling over the groups.
#'
#' @keywords internal
#' @useDynLib hmvn, .registration = TRUE
#' @importFrom Rcpp evalCpp
#' @importFrom RcppParallel RcppParallelLibs
"_PACKAGE"
