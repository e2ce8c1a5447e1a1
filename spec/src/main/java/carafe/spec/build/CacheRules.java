package carafe.spec.build;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// When what builds keep is collected by itself: by `policy`, one prune after the other; where none is said, by the usual
/// ones, with the space of `usual` where that says any.
public record CacheRules(boolean enabled, Optional<List<CachePrune>> policy, CachePrune.Space usual) {

    /// The usual rules.
    public static final CacheRules USUAL = new CacheRules(true, Optional.empty(), CachePrune.Space.NONE);

    private static final List<String> EASY = List.of("source.local", "exec.cachemount", "source.git.checkout");
    private static final double EASY_SHARE = 0.138;
    private static final long EASY_LEAST_BYTES = 512_000_000;
    private static final Duration TWO_DAYS = Duration.ofDays(2);
    private static final Duration SIXTY_DAYS = Duration.ofDays(60);

    public CacheRules {
        policy = policy.map(List::copyOf);
    }

    /// The prunes on a disk of this size. The usual ones keep a tenth of the disk, and up to four fifths while a fifth of the
    /// disk is free: first goes what is made anew easily and was not used for two days, then what was not used for sixty,
    /// then all else. Source: DefaultGCPolicy in builder-next/worker/gc.go of Docker.
    public List<CachePrune> on(long diskBytes) {
        if (!enabled) {
            return List.of();
        }
        return policy.orElseGet(() -> {
            var space = usual.equals(CachePrune.Space.NONE)
                    ? new CachePrune.Space(percent(diskBytes, 10), percent(diskBytes, 80), percent(diskBytes, 20)) : usual;
            long easyBytes = Math.max(EASY_LEAST_BYTES, Math.round((double) space.reserved() * EASY_SHARE));
            var easy = new CachePrune.Kept(List.of(), EASY, List.of(), Optional.empty(), Optional.empty());
            return List.of(
                    new CachePrune(Optional.of(TWO_DAYS), new CachePrune.Space(0, easyBytes, 0), easy, false),
                    new CachePrune(Optional.of(SIXTY_DAYS), space, CachePrune.Kept.ANY, false),
                    new CachePrune(Optional.empty(), space, CachePrune.Kept.ANY, false),
                    new CachePrune(Optional.empty(), space, CachePrune.Kept.ANY, true));
        });
    }

    /// Rounded up to billions.
    private static long percent(long bytes, long percent) {
        return (bytes / 100 * percent / (1L << 30) + 1) * 1_000_000_000;
    }
}
