# Which R file needs which? Draws the graph of the files in R/ from their parsed text, and fails if
# there is a circle: then none of its files can be understood before the others.
#
#   Rscript tools/r_calls.R [folder of the package]
#
# A file needs another if a name that the other defines at top level occurs in it, called or handed
# on, and is no argument or local variable there. Methods count where they are named in full.

# list(defines, needs): the names that a file defines at top level, and those that its text needs.
read_file <- function(path) {
  expressions <- as.list(parse(path, keep.source = FALSE))
  assigned <- Filter(is_assignment, expressions)
  nothing <- list(variables = character(), functions = character())
  list(
    defines = unique(vapply(assigned, function(e) as.character(e[[2L]]), "")),
    needs = unique(unlist(lapply(expressions, needed_names, bound = nothing)))
  )
}

is_assignment <- function(e) {
  is.call(e) && is.symbol(e[[1L]]) && as.character(e[[1L]]) %in% c("<-", "=", "<<-") &&
    is.symbol(e[[2L]])
}

is_function <- function(e) is.call(e) && identical(e[[1L]], quote(`function`))

is_empty <- function(e) is.symbol(e) && !nzchar(as.character(e))

# Names that an expression needs from outside it. `bound`: list(variables, functions), the local
# names. A name that is called is looked up among functions: only arguments and local functions hide
# it, not a variable, as in size <- size(x).
needed_names <- function(e, bound) {
  if (is.symbol(e)) {
    return(setdiff(as.character(e), c("", bound$variables)))
  }
  if (is.pairlist(e)) {
    return(unlist(lapply(as.list(e), needed_names, bound = bound)))
  }
  if (!is.call(e)) {
    return(character())
  }
  if (is_function(e)) {
    return(needed_by_function(e, bound))
  }
  head <- if (is.symbol(e[[1L]])) as.character(e[[1L]]) else ""
  if (head %in% c("::", ":::")) {
    return(character())
  }
  arguments <- as.list(e)[-1L]
  if (head %in% c("$", "@")) arguments <- arguments[1L]
  if (is_assignment(e)) arguments <- arguments[-1L]
  if (head == "local") bound <- bind(bound, arguments[[1L]], character())
  c(
    if (nzchar(head)) setdiff(head, bound$functions) else needed_names(e[[1L]], bound),
    unlist(lapply(arguments, needed_names, bound = bound))
  )
}

needed_by_function <- function(e, bound) {
  inner <- bind(bound, e[[3L]], names(e[[2L]]))
  c(needed_names(e[[2L]], inner), needed_names(e[[3L]], inner))
}

# What a body and its arguments bind, besides what is bound around it.
bind <- function(bound, body, arguments) {
  found <- local_names(body)
  list(
    variables = c(bound$variables, arguments, found$variables),
    functions = c(bound$functions, arguments, found$functions)
  )
}

# Names that a body assigns, those within functions in it left out.
local_names <- function(e) {
  nothing <- list(variables = character(), functions = character())
  if (!is.call(e) || is_function(e)) {
    return(nothing)
  }
  own <- if (is_assignment(e) || identical(e[[1L]], quote(`for`))) as.character(e[[2L]])
  found <- lapply(Filter(Negate(is_empty), as.list(e)[-1L]), local_names)
  list(
    variables = c(own, unlist(lapply(found, `[[`, "variables"))),
    functions = c(
      if (is_assignment(e) && is_function(e[[3L]])) own,
      unlist(lapply(found, `[[`, "functions"))
    )
  )
}

# The files that each file needs, directly: a list of names by name.
file_graph <- function(folder) {
  paths <- list.files(file.path(folder, "R"), pattern = "\\.R$", full.names = TRUE)
  files <- stats::setNames(lapply(paths, read_file), basename(paths))
  home <- rep(names(files), lengths(lapply(files, `[[`, "defines")))
  names(home) <- unlist(lapply(files, `[[`, "defines"))
  twice <- unique(names(home)[duplicated(names(home))])
  if (length(twice) > 0L) stop("defined more than once: ", toString(twice))
  graph <- lapply(files, function(file) unique(unname(home[intersect(file$needs, names(home))])))
  Map(setdiff, graph, names(graph))
}

# Every file's own circle: the files that it needs, over others too, and that need it.
circles <- function(graph) {
  reach <- function(from) {
    seen <- character()
    due <- graph[[from]]
    while (length(due) > 0L) {
      seen <- c(seen, due)
      due <- setdiff(unlist(graph[due]), seen)
    }
    seen
  }
  reached <- lapply(stats::setNames(nm = names(graph)), reach)
  mutual <- lapply(names(graph), function(file) {
    Filter(function(other) file %in% reached[[other]], reached[[file]])
  })
  unique(lapply(Filter(length, mutual), sort))
}

# The level of a file: one above the highest that it needs.
levels_of <- function(graph) {
  level <- stats::setNames(rep(NA_integer_, length(graph)), names(graph))
  while (anyNA(level)) {
    ready <- vapply(names(graph), function(file) !anyNA(level[graph[[file]]]), TRUE) & is.na(level)
    level[ready] <- vapply(graph[ready], function(needs) max(0L, level[needs]) + 1L, 1L)
  }
  level
}

main <- function(folder) {
  graph <- file_graph(folder)
  found <- circles(graph)
  if (length(found) > 0L) {
    cat("Circles among the files of R/:\n")
    for (circle in found) {
      cat("  ", paste(circle, collapse = ", "), "\n", sep = "")
      for (file in circle) {
        cat("    ", file, " needs ", toString(intersect(graph[[file]], circle)), "\n", sep = "")
      }
    }
    return(1L)
  }
  level <- levels_of(graph)
  cat(length(graph), "files,", sum(lengths(graph)), "arrows,", max(level), "levels, no circle\n")
  for (i in sort(unique(level))) {
    cat("  ", i, ": ", toString(names(which(level == i))), "\n", sep = "")
  }
  0L
}

if (!interactive() && sys.nframe() == 0L) {
  folder <- c(commandArgs(trailingOnly = TRUE), ".")[[1L]]
  quit(status = main(folder))
}
