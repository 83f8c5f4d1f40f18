# What features have to do with each other given all others.

#' Partial correlations and precision matrices
#'
#' A partial correlation is the correlation of two features within a group given all other features:
#' -P_ij / sqrt(P_ii P_jj), with P the precision matrix, the inverse of the covariance matrix.
#'
#' @param fit An `hmvn_fit`.
#' @param group Labels of the groups to return; `NULL` for all.
#' @return An rvar array \[group, feature, feature\], of one group that is named \[feature,
#'   feature\], as [group_cov()] has it; partial correlations
#'   have ones on the diagonal. With two features partial correlations are correlations.
#' @section Errors: `hmvn_error_group`, `hmvn_error_keep`, `hmvn_error_fit`, as [group_cov()].
#' @seealso [group_cor()], [group_cov()].
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' partial_cor(fit, "setosa")
#' precision(fit)["virginica", 1, 2]
#' @export
partial_cor <- function(fit, group = NULL) group_rvar(fit, "partial_cor", group)

#' @rdname partial_cor
#' @export
precision <- function(fit, group = NULL) group_rvar(fit, "precision", group)
