// Two functions of glibc 2.38 that the package bochscpu asks for and older glibcs lack. Where the C library has them, the
// ones here do the same.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

unsigned long long __isoc23_strtoull(const char *text, char **end, int base) { return strtoull(text, end, base); }

int __isoc23_sscanf(const char *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int fields = vsscanf(text, format, arguments);
  va_end(arguments);
  return fields;
}
