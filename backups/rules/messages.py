"""Messages about backups: a template and a number, never words about anybody. Pure."""

from __future__ import annotations

from accounts.rules.messages import Category, MessageTemplate

FAILED, DRILL_DUE, RESTORED = "backup-failed", "drill-due", "backup-restored"
DEVICE_DUE, PLAN_DUE = "device-due", "recovery-plan-due"
TEMPLATES = [
    MessageTemplate(
        FAILED, Category.SERVICE_UPDATE, "A backup was not made",
        "The last backup of the portal failed. Earlier ones are as they were. Whoever operates the"
        " portal has to look at it.",
        "backups:backups",
    ),
    MessageTemplate(
        DRILL_DUE, Category.SERVICE_UPDATE, "A restore has to be practised",
        "No backup has been restored on trial for longer than planned, so nobody knows whether"
        " the portal could come back. Whoever operates it should hold a drill.",
        "backups:backups",
    ),
    MessageTemplate(
        DEVICE_DUE, Category.SERVICE_UPDATE, "A device has no certificate of destruction",
        "A device was taken out of service more than thirty days ago, and nothing says that it was"
        " emptied or destroyed. See to it, or enter its certificate.",
        "backups:device", has_target=True,
    ),
    MessageTemplate(
        PLAN_DUE, Category.SERVICE_UPDATE, "The plan for disasters is not kept",
        "You lead the plan for the day when the portal is lost. Something of it does not hold now:"
        " a drill or a backup is older than planned, or the plan itself is. The page says what.",
        "backups:plan",
    ),
    MessageTemplate(
        RESTORED, Category.SECURITY, "The portal was restored from a backup",
        "What happened since that backup is lost, but for what was destroyed and revoked. Everybody"
        " was signed out, and programs need new tokens.",
        "backups:backups",
    ),
]  # fmt: skip
