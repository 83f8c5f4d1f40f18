// Border: how much memory the machine has.
#include <Rcpp.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <unistd.h>
#endif

// Bytes of physical memory; NA where the system does not say.
// [[Rcpp::export(rng = false)]]
double physical_memory_() {
#ifdef _WIN32
  MEMORYSTATUSEX status;
  status.dwLength = sizeof status;
  if (GlobalMemoryStatusEx(&status)) return static_cast<double>(status.ullTotalPhys);
#else
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  if (pages > 0 && size > 0) return static_cast<double>(pages) * static_cast<double>(size);
#endif
  return NA_REAL;
}
