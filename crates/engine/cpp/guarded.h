// Exceptions as messages, for C entry points.
#pragma once

#include <c10/util/Exception.h>

#include <cstring>
#include <exception>

namespace engine {

// Runs `body`. Returns null, or the message of what went wrong, to be freed with engine_free.
template <typename Body>
char* guarded(Body&& body) {
    try {
        body();
        return nullptr;
    } catch (const c10::Error& error) {
        return strdup(error.what_without_backtrace());
    } catch (const std::exception& error) {
        return strdup(error.what());
    } catch (...) {
        return strdup("unknown C++ exception");
    }
}

}  // namespace engine
