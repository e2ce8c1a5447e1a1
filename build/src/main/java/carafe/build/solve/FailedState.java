package carafe.build.solve;

import carafe.build.plan.Mount;
import carafe.build.plan.Operation;
import carafe.build.plan.Origin;
import carafe.build.plan.PlannedStage;
import carafe.build.step.CopyStep;
import carafe.build.step.RunStep;
import carafe.build.tree.LayerMember;
import carafe.build.tree.LayerTar;
import carafe.build.tree.Node;
import carafe.spec.EngineException;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.RunConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// What a failed program left, kept as an image to look at: its files, copies of what it had mounted, and its variables.
/// Secrets, agents and what was in memory are not in it, and that is told.
final class FailedState {

    private final Workshop workshop;
    private final Job job;
    private final PlannedStage stage;
    private final BuildListener told;

    FailedState(Workshop workshop, Job job, PlannedStage stage, BuildListener told) {
        this.told = told;
        this.workshop = workshop;
        this.job = job;
        this.stage = stage;
    }

    /// Keeps what `program`, which ran on top of `before`, left; it starts the step's shell with the step's variables,
    /// proxies and secrets apart.
    /// @return the image's id
    String keep(RunStep program, Operation.Run run, StageResult before, RunConfig config)
            throws IOException, EngineException {
        var latest = job.epoch().map(seconds -> new Node.Time(seconds, 0));
        var failed = with(before, program.members(latest), "RUN " + String.join(" ", run.arguments()) + " # failed");
        var missing = new ArrayList<String>();
        for (var mount : run.mounts()) {
            switch (mount) {
                case Mount.Secret secret -> missing.add("the secret " + secret.id());
                case Mount.Ssh ssh -> missing.add("the ssh agent " + ssh.id());
                case Mount.Tmpfs tmpfs -> missing.add("what was written to " + tmpfs.target());
                case Mount.Bind _, Mount.Cache _ -> { } // a copy is
            }
        }
        for (var seen : program.seen()) {
            try {
                failed = with(failed, copied(seen, failed), "copy of the mount on " + seen.target());
            } catch (EngineException.Invalid e) { // a name, perhaps, that no layer can have
                missing.add("the mount on " + seen.target() + " (" + e.getMessage() + ")");
            }
        }
        if (!missing.isEmpty()) {
            told.on(new BuildEvent.Note("not in the kept state: " + String.join(", ", missing)));
        }
        var shell = List.of(config.shell().isEmpty() ? "/bin/sh" : config.shell().getFirst());
        var kept = new RunConfig(run.user(), run.directory(), run.environment(), List.of(), shell, config.exposedPorts(),
                config.volumes(), config.labels(), config.stopSignal(), Optional.empty(), List.of(), config.shell(), false);
        return new ImageWriter(job.intake(), stage.platform())
                .write(failed, new ImageWriter.About(kept, "", List.of())).toString();
    }

    private StageResult with(StageResult state, Collection<LayerMember> members, String words) throws EngineException {
        Optional<Layer> layer = Optional.empty();
        if (!members.isEmpty()) {
            var taken = job.intake().layer(new LayerTar(members.iterator()));
            layer = Optional.of(Layer.plain(taken.diffId(), taken.blob().size()));
        }
        return state.with(layer, words, "", Optional.of(workshop.clock().instant()));
    }

    /// The mounted files at their place; what the layers have there was hidden by the mount, and is hidden still.
    private List<LayerMember> copied(RunStep.Seen seen, StageResult state) throws IOException, EngineException {
        var all = new Operation.Copy(false, new Origin.Scratch(), List.of(seen.path()), List.of(), seen.target(),
                Operation.Options.NONE);
        var now = new Node.Time(workshop.clock().instant().getEpochSecond(), 0);
        try (var root = Sources.root(workshop, state);
                var selected = CopyStep.select(all, seen.source(), true, workshop.place().scratch())) {
            var members = new ArrayList<>(selected.members(Optional.of(root), now, Optional.empty()));
            var place = root.follow(IgnorePatterns.clean(seen.target()));
            place.filter(Node::isDirectory).ifPresent(node -> members.add(LayerMember.opaque(node.path(), now)));
            return members;
        }
    }
}
