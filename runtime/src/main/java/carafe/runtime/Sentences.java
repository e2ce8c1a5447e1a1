package carafe.runtime;

import carafe.runtime.StartFailure.Kind;

/// The sentences of failed starts. They hold the phrases from which Docker's command derives 126 and 127.
final class Sentences {

    static final String START = "failed to create task for container: ";

    private Sentences() {}

    static StartFailure notFound(String program) {
        return new StartFailure(Kind.EXECUTABLE_NOT_FOUND, "exec",
                START + "exec: \"" + program + "\": executable file not found in $PATH");
    }
}
