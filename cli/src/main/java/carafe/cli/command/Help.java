package carafe.cli.command;

import carafe.cli.session.Session;
import carafe.cli.session.Terminal;

/// What `--help` prints, and the pointers to it that stand below mistakes.
final class Help {

    /// The program's name.
    static final String PROGRAM = "carafe";

    private static final String RUN_HINT = " for more information";

    private Help() {}

    /// The help of one command.
    static String of(Command command, int columns) {
        var text = new StringBuilder(usage(command)).append("\n\n").append(command.summary()).append('\n');
        if (command.aliases().length > 1) {
            text.append("\nAliases:\n  ");
            for (int i = 0; i < command.aliases().length; i++) {
                text.append(i == 0 ? "" : ", ").append(PROGRAM).append(' ').append(command.aliases()[i]);
            }
            text.append('\n');
        }
        String options = command.flags().usages(columns - 1);
        return options.isEmpty() ? text.toString() : text.append("\nOptions:\n").append(options).toString();
    }

    /// The help of a group.
    static String group(String name, String summary) {
        return "Usage:  " + PROGRAM + " " + name + " COMMAND\n\n" + summary + "\n\nCommands:\n" + menu(Catalog.menu(name))
                + "\nRun '" + PROGRAM + " " + name + " COMMAND --help' for more information on a command.\n";
    }

    /// The help of the program.
    static String top(String globalOptions) {
        return "Usage:  " + PROGRAM + " [OPTIONS] COMMAND\n\nA container engine\n\nCommon Commands:\n"
                + menu(Catalog.menu("common")) + "\nManagement Commands:\n" + menu(Catalog.GROUPS) + "\nCommands:\n"
                + menu(Catalog.menu("")) + "\nGlobal Options:\n" + globalOptions
                + "\nRun '" + PROGRAM + " COMMAND --help' for more information on a command.\n";
    }

    private static String menu(String[][] entries) {
        var text = new StringBuilder();
        for (var entry : entries) {
            text.append("  ").append(entry[0]).repeat(' ', 12 - entry[0].length()).append(entry[1]).append('\n');
        }
        return text.toString();
    }

    /// The line that says how a command is used.
    static String usage(Command command) {
        return "Usage:  " + PROGRAM + " " + command.use();
    }

    /// The columns help may fill.
    static int columns(Session session) {
        return session.terminal().isTerminal(1)
                ? session.terminal().size().map(Terminal.Size::columns).orElse(80)
                : 80;
    }

    /// A mistake in a command's flags.
    static String flagMistake(String message, Command command) {
        return message + "\n\n" + usage(command) + "\n\nRun '" + PROGRAM + " " + command.path() + " --help'" + RUN_HINT;
    }

    /// A wrong number of words; empty when it is right.
    static String countMistake(Command command, int words) {
        if (words >= command.least() && words <= command.most()) {
            return "";
        }
        String what = command.most() == 0 ? "accepts no arguments"
                : command.least() == command.most() ? "requires " + count(command.least())
                : words < command.least() ? "requires at least " + count(command.least())
                : "requires at most " + count(command.most());
        String verb = command.most() == Command.ANY ? "See" : "Run";
        return PROGRAM + ": '" + PROGRAM + " " + command.path() + "' " + what + "\n\n" + usage(command) + "\n\n"
                + verb + " '" + PROGRAM + " " + command.path() + " --help'" + RUN_HINT;
    }

    private static String count(int words) {
        return words + (words == 1 ? " argument" : " arguments");
    }

    /// A word that is no command, with the command it resembles.
    static String unknown(String group, String word) {
        String path = group.isEmpty() ? PROGRAM : PROGRAM + " " + group;
        String nearest = group.isEmpty()
                ? Nearest.to(word, Catalog.menu("common"), Catalog.menu(""), Catalog.GROUPS)
                : Nearest.to(word, Catalog.menu(group));
        return PROGRAM + ": unknown command: " + path + " " + word + "\n\n"
                + (nearest.isEmpty() ? "" : "Did you mean '" + path + " " + nearest + "'?\n\n")
                + (group.isEmpty() ? "" : "Usage:  " + path + "\n\n") + "Run '" + path + " --help'" + RUN_HINT;
    }

    /// The pointer below an error of run and create.
    static String hint(Command command) {
        return "\n\nRun '" + PROGRAM + " " + command.path() + " --help'" + RUN_HINT;
    }
}
