package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.flag.Flags;
import carafe.spec.EngineException;
import java.io.IOException;

/// A command: what help says, what it accepts, what it does.
///
/// @param use the words behind the program's name: `run [OPTIONS] IMAGE [COMMAND] [ARG...]`
/// @param path the words that call it: `container run`
/// @param aliases all ways to call it, without the program's name; one is none
/// @param least the fewest words it takes besides flags
/// @param most the most, or [#ANY]
record Command(String path, String use, String summary, String[] aliases, Flags flags, int least, int most, Action action) {

    /// Any number of words.
    static final int ANY = Integer.MAX_VALUE;

    /// What a command does; the answer is the exit code.
    @FunctionalInterface
    interface Action {
        int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException;
    }

    /// Collects a command; `path` says as which of its aliases it was called.
    static Builder of(String path, String words, String summary) {
        return new Builder(path, words, summary);
    }

    /// A command in the making.
    static final class Builder {
        private final String path;
        private final String words;
        private final String summary;
        private final Flags flags = new Flags();
        private String[] aliases = {};
        private int least;
        private int most;

        private Builder(String path, String words, String summary) {
            this.path = path;
            this.words = words;
            this.summary = summary;
        }

        Builder aliases(String... aliases) {
            this.aliases = aliases;
            return this;
        }

        Builder words(int least, int most) {
            this.least = least;
            this.most = most;
            return this;
        }

        Flags flags() {
            return flags;
        }

        Command does(Action action) {
            String use = words.isEmpty() ? path : path + " " + words;
            return new Command(path, use, summary, aliases, flags, least, most, action);
        }
    }
}
