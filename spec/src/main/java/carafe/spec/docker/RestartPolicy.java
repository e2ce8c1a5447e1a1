package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;

/// Whether the engine starts a container again after it ended by itself.
public record RestartPolicy(Kind kind, int maximumRetries) {

    /// The policies Docker has.
    public enum Kind {
        /// Never.
        NO("no"),
        /// After an exit code other than 0, at most `maximumRetries` times (0: without limit).
        ON_FAILURE("on-failure"),
        /// Always, also when the daemon starts.
        ALWAYS("always"),
        /// Always, unless a user stopped it before the daemon started.
        UNLESS_STOPPED("unless-stopped");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        /// Docker's word for it.
        public String word() {
            return word;
        }
    }

    /// The default: never.
    public static final RestartPolicy NEVER = new RestartPolicy(Kind.NO, 0);

    /// Reads `{"Name":…,"MaximumRetryCount":…}`; an empty name is `no`.
    public static RestartPolicy parse(Json.Obj given) throws EngineException.Invalid {
        String name = given.text("Name");
        long retries = given.number("MaximumRetryCount", 0);
        Kind kind = Kind.NO;
        boolean known = name.isEmpty();
        for (var each : Kind.values()) {
            if (each.word.equals(name)) {
                kind = each;
                known = true;
            }
        }
        if (!known) {
            throw new EngineException.Invalid("invalid restart policy: unknown policy '" + name
                    + "'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'");
        }
        if (retries < 0) {
            throw new EngineException.Invalid("invalid restart policy: maximum retry count cannot be negative");
        }
        if (retries > 0 && kind != Kind.ON_FAILURE) {
            throw new EngineException.Invalid("invalid restart policy: maximum retry count can only be used with"
                    + " 'on-failure'");
        }
        return new RestartPolicy(kind, (int) Math.min(retries, Integer.MAX_VALUE));
    }

    /// As Docker prints it.
    public Json.Obj json() {
        return Json.object().put("Name", kind.word).put("MaximumRetryCount", maximumRetries).build();
    }
}
