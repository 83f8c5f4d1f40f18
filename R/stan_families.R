# What a Stan program says of the families of the standard deviations' priors, (P2) of
# vignette("model"), how its lines are laid out, and what things are called in it.

# internal -----------------------------------------------------------------

indent <- function(lines, by = 2) {
  if (length(lines) == 0) {
    return(NULL)
  }
  paste0(strrep(" ", by), lines)
}

# One declaration a row, comments in a column.
declarations <- function(...) {
  rows <- matrix(c(...), nrow = 2)
  ifelse(nzchar(rows[2, ]), paste0(formatC(rows[1, ], width = -46), "  // ", rows[2, ]), rows[1, ])
}

# Names of the parameters of every family of (P2), in the order of the resolved prior.
sd_family_parameters <- list(
  exponential = "rate", normal = c("location", "scale"), student_t = c("df", "location", "scale"),
  gamma = c("shape", "rate"), lognormal = c("location", "scale")
)

stan_sd_arguments <- function(family) {
  paste0("sd_", family, "_", sd_family_parameters[[family]], collapse = ", ")
}

stan_sd_data <- function(family, model) {
  k <- model$families[[family]]
  size <- if (length(model$families) > 1) length(k) else "K"
  positive <- c("rate", "scale", "shape", "df")
  title <- c(
    exponential = "Exponential(rate)", normal = "Normal(location, scale) on (0, inf)",
    student_t = "Student t(df, location, scale) on (0, inf)", gamma = "Gamma(shape, rate)",
    lognormal = "lognormal(location, scale)"
  )[[family]]
  parameters <- sd_family_parameters[[family]]
  rows <- paste0(
    "vector", ifelse(parameters %in% positive, "<lower=0>", ""), "[", size, "] sd_", family, "_",
    parameters, ";"
  )
  law <- paste("(P2) sigma ~", title)
  if (length(model$families) == 1) {
    return(declarations(rbind(rows, c(law, rep("", length(rows) - 1)))))
  }
  c(
    declarations(
      paste0("array[", size, "] int<lower=1, upper=K> sd_", family, ";"),
      paste("features with", law)
    ),
    declarations(rbind(rows, ""))
  )
}

# One prior density a family; truncation to (0, inf) leaves a share of the mass.
stan_sd_prior <- function(model, sigma) {
  several <- length(model$families) > 1
  unlist(lapply(names(model$families), function(family) {
    x <- if (several) paste0(sigma, "[sd_", family, "]") else sigma
    given <- stan_sd_arguments(family)
    truncated <- family %in% c("normal", "student_t")
    c(
      paste0("lprior += ", family, "_lpdf(", x, " | ", given, ")", if (!truncated) ";"),
      if (truncated) paste0("          - ", family, "_lccdf(0 | ", given, ");")
    )
  }))
}

# Declares `name` and fills it with the values of <family>_<what>() for every family.
stan_by_family <- function(model, name, what, x) {
  families <- names(model$families)
  value <- function(family, x) {
    paste0(family, "_", what, "(", x, ", ", stan_sd_arguments(family), ");")
  }
  if (length(families) == 1) {
    return(paste0("vector[K] ", name, " = ", value(families, x)))
  }
  pick <- paste0("[sd_", families, "]")
  c(
    paste0("vector[K] ", name, ";"),
    paste0(name, pick, " = ", mapply(value, families, paste0(x, pick)))
  )
}

# Standard deviations and factors as they are priors of: in a frame not the features' own.
stan_name <- function(model, name) if (model$framed) paste0(name, "_frame") else name

has_stan_cor <- function(model) model$K > 1 && !model$known

# Is there a population that is read from the frame?
has_framed_population <- function(model) {
  model$framed && any(model$pooling[c("sd", if (model$K > 1) "cor")] != "none")
}
