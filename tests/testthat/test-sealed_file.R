# What was written is what is read, or it is refused: for objects of many blocks too, and of sizes
# that end where a block does.

test_that("objects of any number of blocks come back, and damage in every block is seen", {
  path <- tempfile()
  on.exit(unlink(path))
  for (object in list(NULL, 1:3, list(a = rnorm(40), b = "x"), raw(1000))) {
    size <- length(serialize(object, NULL, xdr = FALSE))
    for (block in c(1, 7, size - 1, size, size + 1, size / 2)) {
      with_replaced("block_bytes", ceiling(block), {
        write_sealed(object, path)
        expect_identical(read_sealed(path, NULL), object)
        expect_false(file.exists(paste0(path, ".tmp")))
        whole <- readBin(path, "raw", 1e6)
        for (at in unique(round(seq(1, length(whole), length.out = 60)))) {
          damaged <- whole
          damaged[[at]] <- xor(damaged[[at]], as.raw(4))
          writeBin(damaged, path)
          expect_error(read_sealed(path, NULL), class = "hmvn_error_checkpoint")
          writeBin(whole[-at], path)
          expect_error(read_sealed(path, NULL), class = "hmvn_error_checkpoint")
          writeBin(replace(whole, at, xor(whole[[at]], as.raw(255))), path)
          expect_error(read_sealed(path, NULL), class = "hmvn_error_checkpoint")
          if (whole[[at]] == as.raw(0)) next
          writeBin(replace(whole, at, as.raw(0)), path)
          expect_error(read_sealed(path, NULL), class = "hmvn_error_checkpoint")
        }
      })
    }
  }
})

test_that("what does not reach the disk is an error, and leaves what was there", {
  path <- tempfile()
  on.exit(unlink(path))
  write_sealed("before", path)
  for (write in list(
    function(con) stop("no"),
    # as a full disk does that is noticed when a file is closed only
    function(con) {
      serialize(1:10, con)
      truncate(con)
      seek(con, 1e3, rw = "write")
    }
  )) {
    expect_error(write_whole(path, write, seal_of), "no|the disk is full")
    expect_identical(read_sealed(path, NULL), "before")
    expect_false(file.exists(paste0(path, ".tmp")))
  }
})
