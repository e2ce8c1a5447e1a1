package carafe.build.plan;

import java.util.Optional;
import java.util.function.IntUnaryOperator;

/// One `--mount` of a RUN step, complete: defaults filled in, targets absolute.
public sealed interface Mount {

    /// Where in the step's root it appears.
    String target();

    /// The same in a plan whose stages have other numbers.
    default Mount numbered(IntUnaryOperator numbers) {
        return switch (this) {
            case Bind bind -> new Bind(bind.target, bind.from.numbered(numbers), bind.source, bind.writable);
            case Cache cache -> new Cache(cache.target, cache.id, cache.from.map(from -> from.numbered(numbers)), cache.source,
                    cache.readOnly, cache.sharing, cache.owner);
            case Tmpfs _, Secret _, Ssh _ -> this;
        };
    }

    /// Files of the context, a stage or an image; what is written to a writable one is thrown away.
    record Bind(String target, Origin from, String source, boolean writable) implements Mount {}

    /// A directory that outlives the build, by `id`.
    record Cache(String target, String id, Optional<Origin> from, String source, boolean readOnly, Sharing sharing,
            Owner owner) implements Mount {}

    /// Memory.
    record Tmpfs(String target, long sizeBytes) implements Mount {}

    /// A secret as a file, or as a variable, or both; neither name nor content gets into layers.
    record Secret(String target, String id, Optional<String> environment, boolean file, boolean required, Owner owner)
            implements Mount {}

    /// The client's ssh agent.
    record Ssh(String target, String id, boolean required, Owner owner) implements Mount {}

    /// Who may use a cache at the same time.
    enum Sharing { SHARED, PRIVATE, LOCKED }

    /// Permission bits and owner of what is mounted.
    record Owner(int mode, int uid, int gid) {}
}
