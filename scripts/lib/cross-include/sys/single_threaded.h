// glibc has this header since 2.32. The addons are compiled for an older glibc but with the headers of the machine's
// libstdc++, which then reads the variable. `false` makes it always use atomic reference counts.
#pragma once
static constexpr bool __libc_single_threaded = false;
