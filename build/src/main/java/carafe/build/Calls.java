package carafe.build;

import carafe.build.dockerfile.Dockerfile;
import carafe.build.dockerfile.Finding;
import carafe.build.dockerfile.Instruction;
import carafe.build.dockerfile.Stage;
import carafe.build.dockerfile.Step;
import carafe.build.plan.BuildPlan;
import carafe.build.plan.Mount;
import carafe.build.plan.Operation;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/// The answers of `--call`: what is wrong with a Dockerfile, what can be said to it, what can be made of it.
final class Calls {

    private Calls() {}

    static String check(Dockerfile file, List<Finding> findings) {
        if (findings.isEmpty()) {
            return "Check complete, no warnings found.\n";
        }
        var text = new StringBuilder("Check complete, " + findings.size()
                + (findings.size() == 1 ? " warning has" : " warnings have") + " been found!\n");
        for (var finding : findings) {
            text.append("\nWARNING: ").append(finding.rule().word()).append(" - https://docs.docker.com/go/dockerfile/rule/")
                    .append(finding.rule().word().replaceAll("([a-z])([A-Z])", "$1-$2")
                            .replaceAll("([A-Z]+)([A-Z][a-z])", "$1-$2").toLowerCase(Locale.ROOT)).append("/\n")
                    .append(finding.message()).append('\n');
            if (!finding.fix().isEmpty()) {
                text.append("  try:  ").append(finding.fix()).append('\n');
            }
            text.append(file.source().excerpt(finding.span())).append('\n');
        }
        return text.toString();
    }

    static String targets(Dockerfile file) {
        var text = new StringBuilder("TARGET                DESCRIPTION\n");
        for (var stage : file.stages()) {
            boolean last = stage.index() == file.stages().size() - 1;
            String name = stage.base().name().orElse(last ? "" : Integer.toString(stage.index())) + (last ? " (default)" : "");
            text.append("%-21s %s".formatted(name.strip(), description(stage.from(), stage.title())).stripTrailing())
                    .append('\n');
        }
        return text.toString();
    }

    private static String description(Step step, String name) {
        if (step.comments().isEmpty()) {
            return "";
        }
        String comment = step.comments().getLast();
        return comment.startsWith(name + " ") ? comment.substring(name.length() + 1) : "";
    }

    static String outline(Dockerfile file, BuildPlan plan) {
        var text = new StringBuilder("TARGET:      " + plan.target().title() + "\n");
        text.append("\nBUILD ARG              VALUE                  DESCRIPTION\n");
        file.globals().forEach(step -> arguments(step, text));
        var planned = new TreeSet<Integer>();
        plan.stages().forEach(stage -> planned.add(stage.index()));
        for (Stage stage : file.stages()) {
            if (planned.contains(stage.index())) {
                stage.steps().forEach(step -> arguments(step, text));
            }
        }
        var secrets = new TreeSet<String>();
        var agents = new TreeSet<String>();
        for (var stage : plan.stages()) {
            for (var step : stage.steps()) {
                if (step.operation() instanceof Operation.Run run) {
                    run.mounts().forEach(mount -> {
                        switch (mount) {
                            case Mount.Secret secret -> secrets.add(secret.id() + (secret.required() ? " (required)" : ""));
                            case Mount.Ssh ssh -> agents.add(ssh.id() + (ssh.required() ? " (required)" : ""));
                            case Mount.Bind _, Mount.Cache _, Mount.Tmpfs _ -> { }
                        }
                    });
                }
            }
        }
        list("SECRET", secrets, text);
        list("SSH", agents, text);
        return text.toString();
    }

    private static void arguments(Step step, StringBuilder text) {
        if (step.instruction() instanceof Instruction.Arg(var arguments)) {
            for (var argument : arguments) {
                text.append("%-22s %-22s %s".formatted(argument.key(), argument.value().orElse(""),
                        description(step, argument.key())).stripTrailing()).append('\n');
            }
        }
    }

    private static void list(String title, TreeSet<String> names, StringBuilder text) {
        if (!names.isEmpty()) {
            text.append('\n').append(title).append('\n');
            names.forEach(name -> text.append(name).append('\n'));
        }
    }
}
