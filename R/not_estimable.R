# Groups that make the posterior improper, left out where the user asks for it, so that one group
# does not stop the others.

# internal -----------------------------------------------------------------

# list(input, model, left_out): the input of the groups that can be estimated and their model, as if
# the others had not been there; `left_out`: why not, named by their labels. An error where
# some cannot and the user did not ask to leave them out.
keep_estimable <- function(input, model, settings, call) {
  if (model$known) { # no covariance matrix can degenerate
    return(list(input = input, model = model, left_out = character()))
  }
  if (settings$not_estimable == "drop" && !settings$prior_only) {
    return(leave_out_groups(input, model, settings$cores, call))
  }
  if (!settings$prior_only) {
    check_propriety(input$statistics, model$prior, model$pooling, call = call)
  }
  list(input = input, model = model, left_out = character())
}

# Leaving out groups can make others improper, which then have less to learn from.
leave_out_groups <- function(input, model, cores, call) {
  left_out <- character()
  repeat {
    problems <- find_improper(input$statistics, model$prior, model$pooling)
    if (length(problems) == 0L) break
    found <- reasons_by_group(problems)
    if (is.null(found) || all(input$statistics$labels %in% names(found))) {
      abort_improper(problems, others = FALSE, call)
    }
    left_out <- c(left_out, found)
    input <- without_groups(input, names(found), cores, call)
    model <- specify_model(input$statistics, model$prior_given, said_pooling(model), call)
  }
  list(input = input, model = model, left_out = left_out)
}

# One text a group, named by its label; NULL where some problem is not one of single groups.
reasons_by_group <- function(problems) {
  groups <- lapply(problems, `[[`, "group")
  if (any(lengths(groups) == 0L)) {
    return(NULL)
  }
  labels <- unique(unlist(groups))
  reasons <- vapply(labels, function(label) {
    group_reason(Filter(function(problem) label %in% problem$group, problems))
  }, "")
  stats::setNames(reasons, labels)
}

# Of one group's problems: its constant features together, each set of collinear ones by itself.
group_reason <- function(problems) {
  constant <- vapply(problems, `[[`, "", "kind") == "constant"
  each <- c(join_problems(problems[constant], "kind", "features"), problems[!constant])
  texts <- vapply(each, function(problem) {
    verb <- if (length(problem$features) > 1L) "are" else "is"
    paste(some_of(problem$features), verb, problem$kind)
  }, "")
  paste(texts, collapse = ", ")
}

# `input`: see read_input().
without_groups <- function(input, labels, cores, call) {
  if (is.null(input$data)) {
    return(list(data = NULL, statistics = statistics_without(input$statistics, labels, call)))
  }
  data <- input$data
  stay <- !data$labels[data$codes] %in% labels
  rows <- kept_data_frame(data)[stay, , drop = FALSE]
  rows[] <- lapply(rows, function(x) if (is.factor(x)) droplevels(x) else x)
  columns <- list(
    group = names(data$keys), features = data$features, weights = data$weight_column,
    covariates = data$covariate_formula
  )
  data <- new_model_data(rows, columns, cores, call)
  list(data = data, statistics = compute_statistics(data, cores, call))
}

# Counts of rows go down by what the patterns say, which is rows only without weights; the centre of
# covariates is that of all rows.
statistics_without <- function(statistics, labels, call) {
  if (statistics$weighted || length(statistics$covariates) > 0L) {
    abort_hmvn(
      c(
        "Leaving out groups of statistics with weights or covariates needs the rows.",
        x = "{.arg data} {?is/are} statistics, which do not say how many rows {.val {labels}} had.",
        i = "Leave out the rows of these groups before {.fn hmvn_statistics}."
      ),
      "argument", argument = "data", call = call
    )
  }
  stay <- which(!statistics$labels %in% labels)
  patterns <- statistics$patterns
  of_stay <- patterns$group %in% stay
  n_missing <- sum((patterns$n * colSums(!patterns$observed))[!of_stay])
  statistics$n_rows <- statistics$n_rows - sum(patterns$n[!of_stay])
  statistics$n_missing <- statistics$n_missing - n_missing
  statistics$patterns <- pick_patterns(patterns, of_stay)
  statistics$patterns$group <- match(statistics$patterns$group, stay)
  statistics$labels <- statistics$labels[stay]
  statistics$keys <- statistics$keys[stay, , drop = FALSE]
  attr(statistics$keys, "row.names") <- seq_along(stay)
  statistics
}

# Says which groups were left out, and returns the headline, by topic, for the fit to keep.
inform_not_estimable <- function(left_out) {
  if (length(left_out) == 0L) {
    return(character())
  }
  text <- not_estimable_text(left_out)
  inform_hmvn(
    c(
      cli_verbatim(text),
      i = "The fit is one of the other groups: nothing is estimated of these."
    ),
    "not_estimable", group = names(left_out), reason = unname(left_out)
  )
  c(not_estimable = text)
}

not_estimable_text <- function(left_out) {
  each <- paste0(names(left_out), " (", left_out, ")")
  paste0("Not estimable, left out: ", some_of(each, 10L), ".")
}
