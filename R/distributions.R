# The distributions that priors are written with: users need not attach another package.

#' @importFrom distributional dist_normal
#' @export
distributional::dist_normal

#' @importFrom distributional dist_exponential
#' @export
distributional::dist_exponential

#' @importFrom distributional dist_gamma
#' @export
distributional::dist_gamma

#' @importFrom distributional dist_lognormal
#' @export
distributional::dist_lognormal

#' @importFrom distributional dist_student_t
#' @export
distributional::dist_student_t

#' @importFrom distributional dist_cauchy
#' @export
distributional::dist_cauchy

#' @importFrom distributional dist_truncated
#' @export
distributional::dist_truncated

#' @importFrom distributional dist_beta
#' @export
distributional::dist_beta
