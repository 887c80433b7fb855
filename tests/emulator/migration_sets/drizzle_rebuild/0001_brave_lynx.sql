PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_author` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`pen_name` text
);
--> statement-breakpoint
INSERT INTO `__new_author`("id", "pen_name") SELECT "id", "pen_name" FROM `author`;--> statement-breakpoint
DROP TABLE `author`;--> statement-breakpoint
ALTER TABLE `__new_author` RENAME TO `author`;--> statement-breakpoint
PRAGMA foreign_keys=ON;--> statement-breakpoint
CREATE UNIQUE INDEX `author_pen_name_unique` ON `author` (`pen_name`);--> statement-breakpoint
ALTER TABLE `book` ADD `pages` integer NOT NULL;--> statement-breakpoint
ALTER TABLE `book` DROP COLUMN `title`;
