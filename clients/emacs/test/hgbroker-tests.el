;;; hgbroker-tests.el --- Scenarios against the real broker  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-2.0-or-later

;;; Commentary:

;; Run by emacs_test.go: in emacs --batch, with hgbroker on PATH, on the recorded
;; repositories in HGBROKER_TEST_REPOS.

;;; Code:

(require 'ert)
(require 'hgbroker)
(require 'hgbroker-changes)
(require 'hgbroker-history)

(defconst hgbroker-tests--patience 30 "Seconds, for what must happen.")

(defun hgbroker-tests--repo (name &optional file)
  "Return the name of FILE in the recorded repository NAME."
  (expand-file-name (or file "") (expand-file-name name (getenv "HGBROKER_TEST_REPOS"))))

(defun hgbroker-tests--becomes (want get)
  "Wait until GET returns WANT, in the current buffer."
  (let ((end (+ (float-time) hgbroker-tests--patience)))
    (while (and (not (equal want (funcall get))) (< (float-time) end))
      (accept-process-output nil 0.01))
    (should (equal want (funcall get)))))

(defmacro hgbroker-tests--in (file &rest body)
  "Run BODY in a buffer that visits FILE, with `hgbroker-mode'."
  (declare (indent 1))
  `(let ((buffer (find-file-noselect ,file)))
     (unwind-protect
         (with-current-buffer buffer
           (hgbroker-mode 1)
           ,@body)
       (with-current-buffer buffer (set-buffer-modified-p nil))
       (kill-buffer buffer))))

(defun hgbroker-tests--lighter () "Return what the mode line shows." hgbroker--lighter)

(defun hgbroker-tests--hunks ()
  "Return the starts of the hunks, or what is there before them."
  (if (listp hgbroker-changes--hunks)
      (mapcar (lambda (hunk) (plist-get hunk :newStart)) hgbroker-changes--hunks)
    hgbroker-changes--hunks))

(defun hgbroker-tests--marks ()
  "Return (LINE . KIND) for each mark."
  (sort (delq nil (mapcar (lambda (overlay)
                            (when (overlay-get overlay 'hgbroker-kind)
                              (cons (line-number-at-pos (overlay-start overlay))
                                    (overlay-get overlay 'hgbroker-kind))))
                          (overlays-in (point-min) (1+ (point-max)))))
        (lambda (a b) (< (car a) (car b)))))

(defun hgbroker-tests--write (file bytes)
  "Write the unibyte string BYTES to FILE."
  (let ((coding-system-for-write 'no-conversion)
        (inhibit-message t))
    (write-region bytes nil file nil 'quiet)))

(defun hgbroker-tests--read (file)
  "Return the bytes of FILE."
  (with-temp-buffer
    (set-buffer-multibyte nil)
    (insert-file-contents-literally file)
    (buffer-string)))

(defun hgbroker-tests--line (line)
  "Return the text of LINE."
  (save-excursion
    (goto-char (point-min))
    (forward-line (1- line))
    (buffer-substring-no-properties (point) (line-end-position))))

(defun hgbroker-tests--key (key)
  "Do what KEY does here."
  (call-interactively (key-binding (kbd key)))
  (set-buffer (window-buffer)))

(ert-deftest hgbroker-bytes-go-through-json-unchanged ()
  (dolist (bytes '("" "a" "\303\251" "\342\202\254\360\237\230\200" "\357\273\277x" "\357\277\277"))
    (let ((value (hgbroker-encode bytes)))
      (should (stringp value))
      (should (equal bytes (encode-coding-string (aref (json-parse-string (json-serialize (vector value))) 0)
                                                 'utf-8-unix)))))
  (should (equal "[\"\\u0000\"]" (json-serialize (vector (hgbroker-encode "\0")))))
  (dolist (case '(("\377" . "/w==") ("a\351" . "Yek=") ("\355\240\200" . "7aCA") ("\300\200" . "wIA=")
                  ("\364\220\200\200" . "9JCAgA==") ("\342\202" . "4oI=") ("\0\377\0" . "AP8A")))
    (should (equal (list :base64 (cdr case)) (hgbroker-encode (car case))))
    (should (equal (car case) (encode-coding-string (hgbroker-decode (list :base64 (cdr case))) 'utf-8-unix))))
  (should (equal "" (hgbroker-decode nil))))

(ert-deftest hgbroker-a-buffer-is-compared-as-it-would-be-written ()
  (let ((file (make-temp-file "hgb")))
    (dolist (bytes '("" "\n" "a" "a\n" "a\r\nb\r\n" "\357\273\277a\n" "caf\351\n" "caf\303\251\n" "a\0b\n" "\377\376a\0"))
      (hgbroker-tests--write file bytes)
      (let ((buffer (find-file-noselect file)))
        (with-current-buffer buffer
          (let ((content (hgbroker-buffer-content)))
            (should (equal (hgbroker-encode bytes) content))
            (set-buffer-modified-p t)
            (let ((inhibit-message t)) (save-buffer))
            (should (equal (hgbroker-encode (hgbroker-tests--read file)) content))))
        (kill-buffer buffer)))
    (with-temp-buffer
      (setq buffer-file-coding-system 'latin-1-unix)
      (insert "\u20ac")
      (should-not (hgbroker-buffer-content)))
    (delete-file file)))

(ert-deftest hgbroker-hunks-become-marks ()
  (cl-flet ((places (old-lines start new-lines)
              (hgbroker-changes--places `((:oldStart 1 :oldLines ,old-lines :newStart ,start :newLines ,new-lines)))))
    (should (equal '((1 . added) (2 . added)) (places 0 1 2)))
    (should (equal '((3 . changed) (4 . added)) (places 1 3 2)))
    (should (equal '((2 . removed)) (places 2 2 0)))
    (should (equal '((1 . removed)) (places 2 0 0)))))

(ert-deftest hgbroker-the-state-follows-the-repository ()
  (hgbroker-tests--in (hgbroker-tests--repo "linear" "main.txt")
    (hgbroker-tests--becomes " Hg:default" #'hgbroker-tests--lighter)
    (let ((branch (hgbroker-tests--repo "linear" ".hg/branch")))
      (hgbroker-tests--becomes t (lambda () (hgbroker-repository-watched hgbroker--repository)))
      (hgbroker-tests--write branch "wip %f \303\251\n")
      (hgbroker-tests--becomes " Hg:wip %f \u00e9" #'hgbroker-tests--lighter)
      (hgbroker-tests--write branch "default\n")
      (hgbroker-tests--becomes " Hg:default" #'hgbroker-tests--lighter)))
  (should (zerop (hash-table-count hgbroker--repositories))))

(ert-deftest hgbroker-bookmark-merge-and-conflicts ()
  (hgbroker-tests--in (hgbroker-tests--repo "bookmarks-tags" "f")
    (hgbroker-tests--becomes " Hg:default@feature" #'hgbroker-tests--lighter))
  (hgbroker-tests--in (hgbroker-tests--repo "merging" "left")
    (hgbroker-tests--becomes " Hg:default merge!2"
                             (lambda () (and hgbroker--lighter
                                             (replace-regexp-in-string " [+~-][-+~0-9]*\\'" "" hgbroker--lighter))))))

(ert-deftest hgbroker-marks-of-an-unsaved-buffer ()
  (hgbroker-tests--in (hgbroker-tests--repo "linear" "main.txt")
    (hgbroker-tests--becomes nil #'hgbroker-tests--hunks)
    (goto-char (point-min))
    (forward-line 1)
    (delete-region (point) (line-end-position))
    (insert "changed")
    (forward-line 2)
    (insert "new\nnew\n")
    (forward-line 2)
    (delete-region (point) (progn (forward-line 2) (point)))
    (hgbroker-tests--becomes '((2 . changed) (4 . added) (5 . added) (7 . removed)) #'hgbroker-tests--marks)
    (hgbroker-tests--becomes " Hg:default +2~1-2" #'hgbroker-tests--lighter)
    (goto-char (point-min))
    (hgbroker-next-change 2)
    (should (equal 4 (line-number-at-pos)))
    (hgbroker-previous-change 1)
    (should (equal 2 (line-number-at-pos)))
    (should-error (hgbroker-previous-change 1) :type 'user-error)
    (revert-buffer t t t)
    (hgbroker-tests--becomes nil #'hgbroker-tests--hunks)
    (should-not (hgbroker-tests--marks))
    (hgbroker-mode -1)
    (should-not hgbroker--lighter)))

(ert-deftest hgbroker-marks-follow-an-update-to-another-parent ()
  (hgbroker-tests--in (hgbroker-tests--repo "linear" "main.txt")
    (switch-to-buffer (current-buffer))
    (hgbroker-tests--becomes nil #'hgbroker-tests--hunks)
    (hgbroker-tests--becomes t (lambda () (hgbroker-repository-watched hgbroker--repository)))
    ;; What hg update to changeset 10 would write, but the file: it is as if edited.
    (let* ((dirstate (hgbroker-tests--repo "linear" ".hg/dirstate"))
           (new (concat dirstate ".new"))
           (bytes (hgbroker-tests--read dirstate))
           (node "70ac471f2b1d819785aa3236a0c1c7ca2f82a162")
           (parent (apply #'unibyte-string
                          (mapcar (lambda (i) (string-to-number (substring node (* 2 i) (* 2 (1+ i))) 16))
                                  (number-sequence 0 19)))))
      (hgbroker-tests--write new (concat parent (substring bytes 20)))
      (rename-file new dirstate t)
      (hgbroker-tests--becomes '(12) #'hgbroker-tests--hunks)
      ;; While it is not shown, it is not compared.
      (switch-to-buffer "*scratch*")
      (set-buffer (find-buffer-visiting (hgbroker-tests--repo "linear" "main.txt")))
      (hgbroker-tests--write new bytes)
      (rename-file new dirstate t)
      (hgbroker-tests--becomes t (lambda () hgbroker-changes--stale))
      (should (equal '(12) (hgbroker-tests--hunks)))
      (switch-to-buffer (current-buffer))
      (run-hook-with-args 'window-buffer-change-functions (selected-window))
      (hgbroker-tests--becomes nil #'hgbroker-tests--hunks))))

(ert-deftest hgbroker-names-that-are-not-utf-8 ()
  (hgbroker-tests--in (hgbroker-tests--repo "names" (decode-coding-string "latin-\351\350" 'utf-8-unix t))
    (hgbroker-tests--becomes t (lambda () (and (consp hgbroker-changes--hunks) t)))))

(ert-deftest hgbroker-files-of-no-repository-and-of-none-of-its-revisions ()
  (let ((file (make-temp-file "hgb")))
    (hgbroker-tests--in file
      (should-not hgbroker-mode))
    (delete-file file))
  (hgbroker-tests--in (hgbroker-tests--repo "linear" "untracked file")
    (hgbroker-tests--becomes " Hg:default" #'hgbroker-tests--lighter)
    (hgbroker-tests--becomes nil #'hgbroker-tests--hunks)))

(ert-deftest hgbroker-everywhere ()
  (global-hgbroker-mode 1)
  (unwind-protect
      (let ((buffer (find-file-noselect (hgbroker-tests--repo "linear" "main.txt"))))
        (with-current-buffer buffer
          (should hgbroker-mode)
          (fundamental-mode)
          (should hgbroker-mode)
          (hgbroker-tests--becomes " Hg:default" #'hgbroker-tests--lighter))
        (kill-buffer buffer)
        (should (zerop (hash-table-count hgbroker--repositories)))
        (with-current-buffer (find-file-noselect (hgbroker-tests--repo "linear" ".hg/requires"))
          (should-not hgbroker-mode)
          (kill-buffer)))
    (global-hgbroker-mode -1)))

(ert-deftest hgbroker-log-and-changesets ()
  (let ((hgbroker-log-limit 5))
    (with-current-buffer (find-file-noselect (hgbroker-tests--repo "linear" "main.txt"))
      (hgbroker-log))
    (set-buffer (window-buffer))
    (hgbroker-tests--becomes "    11 2011-03-24 Zo\u00eb            tip step 11" (lambda () (hgbroker-tests--line 1)))
    (should (equal 5 (count-lines (point-min) (point-max))))
    (hgbroker-tests--key "+")
    (hgbroker-tests--becomes 10 (lambda () (count-lines (point-min) (point-max))))
    (hgbroker-tests--key "+")
    (hgbroker-tests--becomes 12 (lambda () (count-lines (point-min) (point-max))))
    (should-error (hgbroker-tests--key "+") :type 'user-error)
    (goto-char (point-min))
    (forward-line 1)
    (should-error (hgbroker-tests--key "f") :type 'user-error)
    (hgbroker-tests--key "w")
    (should (equal "70ac471f2b1d819785aa3236a0c1c7ca2f82a162" (current-kill 0)))
    (hgbroker-tests--key "RET")
    (hgbroker-tests--becomes "Changeset: 10:70ac471f2b1d819785aa3236a0c1c7ca2f82a162 (draft)"
                             (lambda () (hgbroker-tests--line 1)))
    (should (string-match-p "^Date:      2011-03-23 09:06:40 \\+0200\n\nstep 10\n\ndiff " (buffer-string)))
    (should (string-match-p "^\\+line 10$" (buffer-string)))
    (should (derived-mode-p 'diff-mode))))

(ert-deftest hgbroker-log-of-a-file ()
  (with-current-buffer (find-file-noselect (hgbroker-tests--repo "linear" "main.txt"))
    (hgbroker-log-file))
  (set-buffer (window-buffer))
  (hgbroker-tests--becomes 12 (lambda () (count-lines (point-min) (point-max))))
  (goto-char (point-min))
  (forward-line 9)
  (hgbroker-tests--key "f")
  (hgbroker-tests--becomes "line 0\nline 1\nline 2\n" #'buffer-string)
  (should (string-match-p "\\`main\\.txt@[0-9a-f]\\{12\\}\\'" (buffer-name)))
  (should buffer-read-only))

(ert-deftest hgbroker-annotate-lines ()
  (with-current-buffer (find-file-noselect (hgbroker-tests--repo "linear" "main.txt"))
    (goto-char (point-min))
    (insert "mine\n")
    (forward-line 1)
    (hgbroker-annotate)
    (with-current-buffer (find-buffer-visiting (hgbroker-tests--repo "linear" "main.txt"))
      (set-buffer-modified-p nil)
      (kill-buffer)))
  (set-buffer (window-buffer))
  (hgbroker-tests--becomes "                            | mine" (lambda () (hgbroker-tests--line 1)))
  (should (equal "     1 2011-03-14 bob       | line 1" (hgbroker-tests--line 3)))
  (should (equal 3 (line-number-at-pos)))
  ;; The changeset of the line, the file in it, and before it.
  (save-window-excursion
    (hgbroker-tests--key "l")
    (hgbroker-tests--becomes "Changeset: 1:3391032718dbc6ec6b8c98f49af271358f5a8090 (draft)"
                             (lambda () (hgbroker-tests--line 1))))
  (set-buffer (window-buffer))
  (save-window-excursion
    (hgbroker-tests--key "f")
    (hgbroker-tests--becomes "line 0\nline 1\n" #'buffer-string))
  (set-buffer (window-buffer))
  (hgbroker-tests--key "j")
  (hgbroker-tests--becomes 2 (lambda () (count-lines (point-min) (point-max))))
  (hgbroker-tests--becomes "     1 2011-03-14 bob       | line 1" (lambda () (hgbroker-tests--line (line-number-at-pos))))
  (hgbroker-tests--key "a")
  (hgbroker-tests--becomes "     0 2011-03-13 Ada Stone | line 0" (lambda () (hgbroker-tests--line 1)))
  (goto-char (point-min))
  (should-error (hgbroker-tests--key "a") :type 'user-error)
  (hgbroker-tests--key "w")
  (hgbroker-tests--becomes 12 (lambda () (count-lines (point-min) (point-max))))
  (goto-char (point-max))
  (should-error (hgbroker-tests--key "l") :type 'user-error))

(ert-deftest hgbroker-a-binary-file ()
  (let ((root (file-name-as-directory (hgbroker-tests--repo "binary"))))
    (hgbroker-find-revision (expand-file-name "nul" root) "tip" root)
    (set-buffer (window-buffer))
    (hgbroker-tests--becomes (if hgbroker-history--reads-nul (make-string 5 0) "A binary file.\n") #'buffer-string)
    (hgbroker-annotate--open (expand-file-name "nul" root) "tip" root nil)
    (set-buffer (window-buffer))
    (hgbroker-tests--becomes "A binary file.\n" #'buffer-string)))

(ert-deftest hgbroker-errors-are-shown ()
  (let ((root (file-name-as-directory (hgbroker-tests--repo "linear"))))
    (hgbroker-show-changeset "nowhere" root)
    (set-buffer (window-buffer))
    (hgbroker-tests--becomes "unknown revision 'nowhere'\n" (lambda () (replace-regexp-in-string "^abort: " "" (buffer-string))))))

(ert-deftest hgbroker-the-broker-dies-and-comes-back ()
  (hgbroker-tests--in (hgbroker-tests--repo "linear" "main.txt")
    (hgbroker-tests--becomes " Hg:default" #'hgbroker-tests--lighter)
    (let ((before (jsonrpc--process hgbroker--connection))
          lost)
      (signal-process before 'SIGSTOP)
      (hgbroker-request :hg/log (hgbroker-place hgbroker--repository) #'ignore (lambda (err) (setq lost err)))
      (signal-process before 'SIGKILL)
      (hgbroker-tests--becomes hgbroker-lost (lambda () (plist-get lost :code)))
      (should (equal " Hg:default" hgbroker--lighter))
      (hgbroker-tests--becomes t (lambda () (and (hgbroker-running-p)
                                                 (not (eq before (jsonrpc--process hgbroker--connection)))))))
    (hgbroker-tests--becomes t (lambda () (hgbroker-repository-watched hgbroker--repository)))
    (let ((branch (hgbroker-tests--repo "linear" ".hg/branch")))
      (hgbroker-tests--write branch "stable\n")
      (hgbroker-tests--becomes " Hg:stable" #'hgbroker-tests--lighter)
      (hgbroker-tests--write branch "default\n")
      (hgbroker-tests--becomes " Hg:default" #'hgbroker-tests--lighter))))

(ert-deftest hgbroker-the-end ()
  "A clean end; a broker that never answers holds up nobody; no broker at all."
  (hgbroker-tests--in (hgbroker-tests--repo "linear" "main.txt")
    (hgbroker-tests--becomes " Hg:default" #'hgbroker-tests--lighter)
    (let ((process (jsonrpc--process hgbroker--connection)))
      (should (hgbroker-stop hgbroker-tests--patience))
      (should (equal '(exit 0) (list (process-status process) (process-exit-status process)))))
    (should (equal " Hg:default" hgbroker--lighter))
    (let ((hgbroker-command '("sleep" "1000"))
          (start (float-time)))
      (hgbroker-restart)
      (goto-char (point-max))
      (insert "x")
      (should (equal " Hg:default" hgbroker--lighter))
      (should-not (hgbroker-stop 0.01))
      (should (< (- (float-time) start) hgbroker-tests--patience)))
    (let ((hgbroker-command '("no-such-hgbroker"))
          err)
      (hgbroker-request :hg/state nil #'ignore (lambda (e) (setq err e)))
      (hgbroker-tests--becomes "no-such-hgbroker is not on the path" (lambda () (plist-get err :message))))
    (hgbroker-restart)
    (hgbroker-tests--becomes t (lambda () (hgbroker-running-p)))))

(provide 'hgbroker-tests)
;;; hgbroker-tests.el ends here
