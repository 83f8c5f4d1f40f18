# Features that nearly add up to a constant within groups: said before sampling, since estimates of
# theirs rest on the last digits of the data.

# internal -----------------------------------------------------------------

# 1 - R^2 of a feature on the others below which the data are called nearly singular.
nearly_singular_limit <- 1e-6

# NULL, or what is nearly constant: list(features, weights, mean, sd) of the combination
# sum(weights * features), in raw units, the largest weight 1. Judged on the complete rows of all
# groups about their own means, where these are more than the features.
nearly_singular <- function(statistics) {
  patterns <- statistics$patterns
  K <- length(statistics$features)
  complete <- which(colSums(patterns$observed) == K)
  freedom <- sum(patterns$n[complete] - 1)
  scatter <- rowSums(drop_constants(patterns)[, , complete, drop = FALSE], dims = 2L)
  varies <- diag(scatter) > 0
  if (freedom <= K || sum(varies) < 2L) {
    return(NULL)
  }
  scale <- sqrt(diag(scatter)[varies] / freedom)
  cor <- scatter[varies, varies] / freedom / tcrossprod(scale)
  parts <- eigen(cor, symmetric = TRUE)
  values <- pmax(parts$values, .Machine$double.eps)
  unexplained <- 1 / colSums(t(parts$vectors^2) / values)
  if (min(unexplained) >= nearly_singular_limit) {
    return(NULL)
  }
  direction <- parts$vectors[, length(values)]
  has_weight <- abs(direction) > 0.01 * max(abs(direction))
  weights <- ifelse(has_weight, direction, 0) / scale
  weights <- weights / weights[[which.max(abs(weights))]]
  features <- statistics$features[varies]
  own <- scatter[varies, varies] / freedom
  list(
    features = features[has_weight], weights = stats::setNames(weights, features)[has_weight],
    mean = sum(weights * pooled_moments(statistics)$mean[varies]),
    sd = sqrt(max(sum(weights * (own %*% weights)), 0))
  )
}

# Says it, and returns the headline, by topic, for the fit to keep.
inform_nearly_singular <- function(statistics) {
  found <- if (!statistics$known) nearly_singular(statistics)
  if (is.null(found)) {
    return(character())
  }
  text <- paste0(
    "Nearly singular data: within groups ", combination_text(found$weights), " varies by an sd of ",
    format(found$sd, digits = 2), " only, about ", format(found$mean, digits = 4), "."
  )
  inform_hmvn(
    c(
      cli_verbatim(text),
      i = paste(
        "Estimates of these features rest on the last digits of the data: leave one of them out,",
        "unless such digits are measured."
      )
    ),
    "nearly_singular",
    features = found$features, weights = found$weights, sd = found$sd
  )
  c(nearly_singular = text)
}

# "a + b - 0.5 c": weights to two digits, the first few.
combination_text <- function(weights, most = 6L) {
  weights <- weights * sign(weights[[1L]])
  size <- format_each(abs(weights))
  terms <- paste0(ifelse(size == "1", "", paste0(size, " ")), names(weights))
  signs <- ifelse(weights < 0, " - ", " + ")
  more <- length(terms) - most
  shown <- seq_len(min(length(terms), most))
  text <- sub("^ [+] ", "", paste0(signs[shown], terms[shown], collapse = ""))
  if (more > 0) paste0(text, " and so on (", more, " more)") else text
}

format_each <- function(x) vapply(x, function(x) format(signif(x, 2)), "")
