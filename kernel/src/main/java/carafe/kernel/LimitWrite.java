package carafe.kernel;

/// One limit as a file's content. A host that has no such file cannot give the limit; `lacking` is the sentence that
/// says so. `controller` is what the file belongs to.
record LimitWrite(LimitWarning.Kind kind, String controller, String file, String value, String lacking) {

    LimitWarning warning() {
        return new LimitWarning(kind, lacking);
    }

    static final String NO_SWAP = "Your kernel does not support swap limit capabilities or the cgroup is not mounted."
            + " Memory limited without swap.";
    static final String NO_MEMORY = no("memory limit capabilities", "Limitation discarded.");
    static final String NO_RESERVATION = no("memory soft limit capabilities", "Limitation discarded.");
    static final String NO_SWAPPINESS = no("memory swappiness capabilities", "Memory swappiness discarded.");
    static final String NO_OOM_KILL_DISABLE =
            "Your kernel does not support OomKillDisable. OomKillDisable discarded.";
    static final String NO_SHARES = no("CPU shares", "Shares discarded.");
    static final String NO_QUOTA = no("CPU CFS quota", "Quota discarded.");
    static final String NO_CPUSET = no("cpuset", "CPUset discarded.");
    static final String NO_PIDS = no("PIDs limit capabilities", "PIDs limit discarded.");
    static final String NO_WEIGHT = no("Block I/O weight", "Weight discarded.");
    static final String NO_THROTTLE = no("Block I/O rate limits", "Rate limit discarded.");
    static final String NO_HUGE_PAGES = no("huge page limits", "Limitation discarded.");

    private static String no(String what, String consequence) {
        return "Your kernel does not support " + what + " or the cgroup is not mounted. " + consequence;
    }

    static String maximum(long number) {
        return number < 0 ? "max" : Long.toString(number);
    }
}
