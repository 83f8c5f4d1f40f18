# Every condition the package signals is made here, so that each has a class that code can catch and
# a message with the same three parts: the headline says what must hold, "x" what was found, "i"
# what to do. The table below lists the classes; a test holds it against the calls in R/.

#' Conditions signalled by hmvn
#'
#' Errors have class `hmvn_error_<topic>` under `hmvn_error`, warnings `hmvn_warning_<topic>` under
#' `hmvn_warning`, messages `hmvn_message_<topic>` under `hmvn_message`, so that each can be caught
#' on its own. Fields are elements of the condition object; one that does not apply is `NULL` or
#' empty.
#'
#' @eval condition_sections()
#' @seealso [fit_hmvn()]; [base::tryCatch()] and [rlang::try_fetch()] to handle conditions by class.
#' @examples
#' found <- tryCatch(fit_hmvn(iris, group = ~ Specis), hmvn_error_column = identity)
#' found$argument
#' found$column
#' @name hmvn-conditions
NULL

# internal -----------------------------------------------------------------

# One row a class: what it says, and its fields.
topic <- function(what, ...) list(what = what, fields = c(...))

condition_table <- list(
  error = list(
    argument = topic("An argument has the wrong type, length or value, or no name.", "argument"),
    cells = topic(
      "A cell of a feature or covariate is NaN or infinite, or too large to be squared.",
      "argument", "column", "row", "count"
    ),
    checkpoint = topic(
      "A folder holds no checkpoint, one of another fit, or files that are damaged, missing, strange
      or from a newer version.",
      "path"
    ),
    column = topic(
      "Columns are not there, not numeric, named twice or in two roles, or named in a wrong form.",
      "argument", "column"
    ),
    covariates = topic(
      "Covariates cannot be computed (or sampled), do not vary within groups, or are collinear
      there; new data have categories (`levels`) that the fit has not, or a
      row without a covariate.",
      "argument", "column", "levels"
    ),
    data = topic(
      "The data are no data frame, have no rows, or columns without names or of other lengths.",
      "argument", "column"
    ),
    draws_dir = topic(
      "Draws of groups that were left in a folder are not there, damaged or another fit's, or cannot
      be written there.",
      "path"
    ),
    engine = topic(
      "A database cannot compute statistics of a table; the message says what it says.", "argument"
    ),
    file = topic(
      "A file cannot hold a fit: it holds something else, is damaged or from a newer version, or its
      folder cannot be written to.",
      "path"
    ),
    fit = topic("An object is no fit, or not one of this version of the package."),
    group = topic(
      "A group is not there (`group`), or a column cannot be one: in `row`, in `count` rows, or
      because `labels` coincide.",
      "argument", "column", "row", "count", "labels", "group"
    ),
    improper = topic(
      "The posterior is no distribution: features are constant or collinear (`kind`) in groups, all
      of which are named; no `group` where it is all together.",
      "group", "features", "kind"
    ),
    keep = topic(
      "Draws that were not kept are asked for; `keep` is what would have kept them.",
      "variable", "keep"
    ),
    locked = topic(
      "Another process writes into a checkpoint: which, and where it runs.", "path", "pid", "host"
    ),
    memory = topic("Memory (or a thread) could not be had for what was asked for."),
    no_meaning = topic(
      "A generic has no meaning for this model, or for this fit; the message says what to call.",
      "generic"
    ),
    package = topic("A suggested package is needed and not installed.", "package"),
    pooling = topic("`pooling` names no known level or block.", "argument"),
    prior = topic("A prior is no distribution that the model knows, or needs data.", "argument"),
    prob = topic("Probabilities do not lie between 0 and 1.", "argument"),
    rows = topic("The rows of the data are needed, and the fit has none or others were fitted."),
    sampling = topic(
      "The sampler could not go on; `topic` names the reason, where it has a name.",
      "topic"
    ),
    size = topic(
      "What is asked for would take more than 1 GB, or a fit or statistics more memory than the
      machine has.",
      "bytes"
    ),
    state = topic(
      "Where chains ended was not kept, is damaged, or was kept by another version of the package or
      on another kind of machine."
    ),
    statistics = topic(
      "Statistics lack something, contradict each other, or were changed by hand.",
      "argument", "group"
    ),
    unfinished = topic("A checkpoint does not have draws of every chain and group yet.", "path"),
    variable = topic("The fit has no such quantity.", "variable"),
    worker = topic("Four workers in turn have died at one task."),
    weights = topic(
      "A weight is negative or not finite, weights sum to too little, or their column is not
      named.",
      "argument", "column", "row"
    )
  ),
  warning = list(
    divergences = topic("Transitions ended with a divergence."),
    treedepth = topic("Transitions hit the maximum tree depth."),
    ebfmi = topic("Chains had an E-BFMI below 0.3."),
    pareto_k = topic(
      "Rows have a Pareto k that is too high after moment matching: how many (`count`).", "count"
    ),
    rhat = topic("Quantities have an R-hat above 1.05."),
    ess = topic("Quantities have a bulk or tail effective sample size below 100 a chain."),
    nonfinite = topic("Draws are not finite."),
    checkpoint = topic("A checkpoint could not be written; sampling goes on.", "path"),
    file = topic("A fit could not be written to its file.", "path"),
    suspect_features = topic(
      "Features were not named, and some look like an id, a year, a visit or a weight.", "features"
    )
  ),
  message = list(
    checkpoint = topic(
      "A run goes on with a checkpoint, was stopped and left one, or a fit is partial.", "path"
    ),
    empty_levels = topic(
      "Empty levels of a grouping factor or a covariate were dropped.", "column", "levels"
    ),
    empty_rows = topic("Rows with nothing observed are left out."),
    engine = topic("A database computes counts, means and scatter of its rows.", "engine"),
    features = topic("Which columns became features by default.", "features"),
    file = topic(
      "A fit is kept in a file, used from there, extended or fitted again; what has `changed`.",
      "path", "changed"
    ),
    grouped = topic("Groups are those of a grouped table.", "column"),
    lacking_features = topic(
      "Statistics of different features were combined: those that some of them lack.", "features"
    ),
    nearly_singular = topic(
      "Features add up to nearly a constant within groups: which, the `weights` of the sum and its
      `sd`, in the units of the feature with weight 1.",
      "features", "weights", "sd"
    ),
    new_group = topic(
      "Blocks in which a new group is a draw from the prior, or like all groups.",
      "prior", "common"
    ),
    not_estimable = topic(
      "Groups whose posterior is no distribution were left out (`not_estimable = \"drop\"`), and
      why.",
      "group", "reason"
    ),
    no_cor = topic("Some correlations are not known, and what is assumed then."),
    incomplete_covariates = topic(
      "Rows with a missing covariate are left out, or their missing cells are not drawn."
    ),
    one_group = topic("Heterogeneity cannot be learned from one group."),
    prior_conflict = topic(
      "Posterior sds or correlations (`block`) lie more than a posterior sd from the sample's:
      `features` by block, and by how much (`shift`: ratios of sds, differences of correlations).",
      "block", "features", "shift"
    ),
    standardised = topic("Correlations came alone, and what is assumed of means and sds."),
    weights = topic(
      "Weights that are no counts are read as frequencies: their `total`, and the rows that they are
      worth.",
      "column", "total", "worth"
    ),
    zero_weights = topic("Rows have weight 0 and do not count.", "column", "count")
  )
)

# The sections of ?hmvn-conditions
condition_sections <- function() {
  title <- c(error = "Errors", warning = "Warnings", message = "Messages")
  vapply(names(condition_table), function(kind) {
    rows <- condition_table[[kind]]
    items <- vapply(names(rows), function(name) {
      fields <- rows[[name]]$fields
      paste0(
        "\\item{\\code{hmvn_", kind, "_", name, "}}{",
        gsub("`([^`]*)`", "\\\\code{\\1}", gsub("\\s+", " ", rows[[name]]$what)),
        if (length(fields)) {
          paste0(" Fields: ", paste0("\\code{", fields, "}", collapse = ", "), ".")
        },
        "}"
      )
    }, "")
    paste0("@section ", title[[kind]], ":\n\\describe{\n", paste(items, collapse = "\n"), "\n}")
  }, "", USE.NAMES = FALSE)
}

# `message`: a character vector in the form of cli::cli_abort(). `class`: the topic, without prefix.
# `...`: fields. A text finds its variables in the frame that writes it: `.envir` is that of the
# caller, and a function that is handed texts hands on the frame of its own caller.
abort_hmvn <- function(message, class, ..., call = NULL, .envir = parent.frame()) {
  cli::cli_abort(
    message,
    class = c(paste0("hmvn_error_", class), "hmvn_error"),
    ...,
    call = call,
    .envir = .envir
  )
}

warn_hmvn <- function(message, class, ..., call = NULL, .envir = parent.frame()) {
  cli::cli_warn(
    message,
    class = c(paste0("hmvn_warning_", class), "hmvn_warning"),
    ...,
    call = call,
    .envir = .envir
  )
}

inform_hmvn <- function(message, class, ..., .envir = parent.frame()) {
  cli::cli_inform(
    message,
    class = c(paste0("hmvn_message_", class), "hmvn_message"),
    ...,
    .envir = .envir
  )
}

# A finished text as cli's: labels may hold braces, which cli would read as code.
cli_verbatim <- function(text) {
  out <- gsub("}", "}}", gsub("{", "{{", text, fixed = TRUE), fixed = TRUE)
  stats::setNames(out, names(text))
}
