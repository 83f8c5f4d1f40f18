# The names of single elements of quantities, such as mu[A,x].

# internal -----------------------------------------------------------------

# The names of a quantity's elements in its full form, first index fastest.
element_names <- function(fit, name, groups = NULL, index = "label") {
  groups <- groups %||% seq_len(n_groups(fit))
  own <- if (index == "label") {
    list(
      g = safe_labels(fit$statistics$labels, "g")[groups],
      c = safe_labels(fit$statistics$covariates, "c"),
      f = safe_labels(fit$statistics$features, "f")
    )
  } else {
    list(
      g = as.character(groups), c = as.character(seq_len(n_covariates(fit))),
      f = as.character(seq_len(n_features(fit)))
    )
  }
  indices <- own[strsplit(quantities[[name]]$index, "")[[1L]]]
  if (length(indices) == 0L) {
    return(name)
  }
  inside <- Reduce(
    function(before, after) as.vector(outer(before, after, paste, sep = ",")), indices
  )
  if (length(inside)) paste0(name, "[", inside, "]") else character()
}

# The names of packed entries: positions of their `group` (NULL: none), `covariate`, `feature` and
# `feature2` (NA: none). `group_labels`: safe ones; for many calls, made once.
packed_names <- function(fit, name, group, layout, group_labels = NULL) {
  features <- safe_labels(fit$statistics$features, "f")
  if (!is.null(group)) {
    group_labels <- group_labels %||% safe_labels(fit$statistics$labels, "g")
  }
  inside <- list(
    if (!is.null(group)) group_labels[group],
    if (!anyNA(layout$covariate)) safe_labels(fit$statistics$covariates, "c")[layout$covariate],
    if (!anyNA(layout$feature)) features[layout$feature],
    if (!anyNA(layout$feature2)) features[layout$feature2]
  )
  inside <- Filter(length, inside)
  if (length(inside) == 0L) {
    return(rep(name, length(layout$feature)))
  }
  paste0(name, "[", do.call(paste, c(inside, sep = ",")), "]")
}

# Labels that posterior and tidybayes take apart correctly. They split at commas (tidybayes at
# blanks also), end at brackets, and read numbers as positions.
safe_labels <- function(labels, prefix) {
  safe <- gsub("[][,[:space:]]", "_", labels)
  safe[safe == ""] <- "_"
  number <- !is.na(suppressWarnings(as.numeric(safe)))
  safe[number] <- paste0(prefix, safe[number])
  # Labels that needed no change keep their name
  first <- order(safe != labels)
  safe[first] <- make.unique(safe[first], sep = "_")
  safe
}
