#pragma once

// Prints `load: WHAT: errno's text` on stderr and exits with 1.
_Noreturn void fail(const char* what);

// The same for a state that no errno describes.
_Noreturn void fail_text(const char* text);
