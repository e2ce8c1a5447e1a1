@NullMarked
package carafe.cli;

import org.jspecify.annotations.NullMarked;
