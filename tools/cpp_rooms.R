# Reads which C++ file includes which, and reports rooms (folders), levels and arrows between rooms:
#   Rscript tools/cpp_rooms.R [src]
# Fails on a circle, of rooms or of files, and on an arrow that runs against `may_see`. A .cpp and
# the header of its name count as one file: a circle closed by the .cpp is a circle to the reader.

# Room -> the rooms it may include. `border`: the files outside hmvn/, which may use R and threads.
base <- c("math", "random")
below_posterior <- c(base, "control", "data", "model", "coordinates", "direct")
may_see <- list(
  control = character(),
  math = character(),
  random = "math",
  data = base,
  model = c(base, "data"),
  coordinates = c(base, "control", "data", "model"),
  direct = c(base, "control", "data", "model"),
  posterior = below_posterior,
  mcmc = c(base, "control"),
  sampling = c(below_posterior, "posterior", "mcmc"),
  predict = c(base, "data", "model"),
  diagnostics = base
)
may_see$border <- names(may_see)

# Headers that no file in hmvn/ includes, and those that only some rooms do.
not_in_core <- paste0(
  "^(R[.]h|Rinternals[.]h|Rcpp.*|thread|mutex|condition_variable|future|iostream|fstream)$"
)
only_in <- list(chrono = "sampling")

main <- function(src) {
  includes <- read_includes(src)
  files <- unique(includes$file)
  own <- includes[!is.na(includes$target), ]
  arrows <- own[room_of(own$file) != room_of(own$target), ]
  rooms <- sort(unique(room_of(files)))
  graph <- adjacency(rooms, room_of(arrows$file), room_of(arrows$target))
  stems <- unique(stem_of(files))
  file_graph <- adjacency(stems, stem_of(own$file), stem_of(own$target))

  show_rooms(graph, files, src)
  tallest <- max(levels_of(file_graph), 0, na.rm = TRUE)
  cat("\nthe longest chain: ", tallest, " files, each including the next\n", sep = "")
  show_arrows(arrows)
  problems <- c(
    forbidden_arrows(arrows), forbidden_headers(includes),
    circle_lines(graph, "rooms"), circle_lines(file_graph, "files")
  )
  cat("\n", length(problems), " problems\n", sep = "")
  cat(problems, sep = "\n")
  length(problems) > 0
}

# reading -------------------------------------------------------------------

# Data frame of file, line, header (as written) and target (the file of src meant, or NA). A file
# without includes has one row.
read_includes <- function(src) {
  files <- list.files(src, "[.](cpp|h|hpp)$", recursive = TRUE)
  files <- files[files != "RcppExports.cpp"]
  do.call(rbind, lapply(files, function(file) {
    text <- readLines(file.path(src, file), warn = FALSE)
    pattern <- "^\\s*#\\s*include\\s*[<\"]([^>\"]+)[>\"].*"
    line <- grep(pattern, text)
    header <- sub(pattern, "\\1", text[line])
    if (length(line) == 0) line <- header <- NA
    data.frame(file = file, line = line, header = header, target = find_header(header, file, files))
  }))
}

# Headers are named from src; beside the including file also counts.
find_header <- function(header, file, files) {
  beside <- sub("^[.]/", "", file.path(dirname(file), header))
  ifelse(header %in% files, header, ifelse(beside %in% files, beside, NA_character_))
}

room_of <- function(file) {
  folder <- "^hmvn/([^/]+)/.*"
  ifelse(grepl(folder, file), sub(folder, "\\1", file), "border")
}

stem_of <- function(file) sub("[.][a-z]+$", "", file)

# graphs --------------------------------------------------------------------

# [from, to]: is there an arrow?
adjacency <- function(nodes, from, to) {
  graph <- matrix(FALSE, length(nodes), length(nodes), dimnames = list(nodes, nodes))
  graph[cbind(from, to)[from != to, , drop = FALSE]] <- TRUE
  graph
}

# [from, to]: is there a way?
reachable <- function(graph) {
  for (node in rownames(graph)) graph <- graph | outer(graph[, node], graph[node, ], `&`)
  graph
}

# Sets of nodes that reach each other, one character vector each.
circles <- function(graph) {
  way <- reachable(graph)
  mutual <- way & t(way)
  sets <- lapply(which(diag(mutual)), function(node) colnames(mutual)[mutual[node, ]])
  unique(unname(sets))
}

# Level of each node: 1 sees nothing, others are one above the highest that they see. NA in and
# above a circle.
levels_of <- function(graph) {
  level <- rep(NA_real_, nrow(graph))
  for (step in seq_len(nrow(graph))) {
    ready <- is.na(level) & !apply(graph, 1, function(sees) anyNA(level[sees]))
    level[ready] <- step
  }
  level
}

# reports -------------------------------------------------------------------

show_rooms <- function(graph, files, src) {
  lines <- vapply(file.path(src, files), function(file) length(readLines(file, warn = FALSE)), 1)
  room <- room_of(files)
  level <- levels_of(graph)
  cat(
    length(files), " files in ", nrow(graph), " rooms, ", max(level, 0, na.rm = TRUE), " levels, ",
    sum(graph), " arrows between rooms\n\n", sep = ""
  )
  cat(sprintf("%5s  %-12s %5s %6s  %s\n", "level", "room", "files", "lines", "sees"), sep = "")
  for (i in order(-level, rownames(graph), na.last = FALSE)) {
    name <- rownames(graph)[i]
    here <- room == name
    sees <- toString(colnames(graph)[graph[i, ]])
    cat(sprintf("%5s  %-12s %5d %6d  %s\n", level[i], name, sum(here), sum(lines[here]), sees))
  }
}

show_arrows <- function(arrows) {
  count <- table(paste(room_of(arrows$file), "->", room_of(arrows$target)))
  cat("\nincludes that cross: ", sum(count), "\n", sep = "")
  cat(sprintf("%5d  %s\n", count, names(count)), sep = "")
}

forbidden_arrows <- function(arrows) {
  unknown <- setdiff(room_of(arrows$file), names(may_see))
  from <- room_of(arrows$file)
  to <- room_of(arrows$target)
  allowed <- as.logical(mapply(function(from, to) to %in% may_see[[from]], from, to))
  wrong <- sprintf(
    "src/%s:%d: %s must not see %s (%s)", arrows$file, arrows$line, from, to, arrows$target
  )
  c(sprintf("room %s has no row in `may_see` of tools/cpp_rooms.R", unknown), wrong[!allowed])
}

forbidden_headers <- function(includes) {
  core <- includes[!is.na(includes$header) & room_of(includes$file) != "border", ]
  room <- room_of(core$file)
  kept_out <- as.logical(mapply(function(header, room) {
    grepl(not_in_core, header) || !is.null(only_in[[header]]) && !room %in% only_in[[header]]
  }, core$header, room))
  sprintf("src/%s:%d: %s must not see <%s>", core$file, core$line, room, core$header)[kept_out]
}

circle_lines <- function(graph, what) {
  vapply(circles(graph), function(set) paste0("circle of ", what, ": ", toString(set)), "")
}

# run -----------------------------------------------------------------------

if (!interactive() && sys.nframe() == 0) {
  src <- commandArgs(trailingOnly = TRUE)
  if (length(src) == 0) {
    script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
    src <- file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", "src")
  }
  quit(status = as.integer(main(src[1])))
}
